resource "aws_s3_bucket" "labels" {
  bucket = "harborline-shipping-labels"
}

resource "aws_security_group" "jump" {
  name = "jump-ssh"
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
