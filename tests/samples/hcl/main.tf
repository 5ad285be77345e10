# A small estate: a server anybody can reach, whose role reads a bucket, and a builder.
terraform {
  required_version = ">= 1.5"
}

provider "aws" {
  region = var.region
}

variable "region" {
  default = "eu-west-1"
}

variable "prefix" {
  type = string
}

variable "office" {
  description = "Where administrators sit"
  type        = list(string)
}

locals {
  name   = "${var.prefix}-shop"
  everybody = ["0.0.0.0/0"]
  ports = { web = 443, admin = 22 }
}

data "aws_caller_identity" "here" {}

data "aws_iam_policy_document" "reads" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.orders.arn, "${aws_s3_bucket.orders.arn}/*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["*"]
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket" "orders" {
  bucket = lower("${local.name}-Orders")
}

resource "aws_s3_bucket_policy" "orders" {
  bucket = aws_s3_bucket.orders.id
  policy = <<-POLICY
    {
      "Version": "2012-10-17",
      "Statement": [{
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "${aws_s3_bucket.orders.arn}/*"
      }]
    }
  POLICY
}

resource "aws_s3_bucket_public_access_block" "orders" {
  bucket                  = aws_s3_bucket.orders.id
  restrict_public_buckets = false
}

resource "aws_iam_role" "web" {
  name = "${local.name}-web"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "web" {
  role   = aws_iam_role.web.id
  name   = "reads"
  policy = data.aws_iam_policy_document.reads.json
}

resource "aws_iam_instance_profile" "web" {
  name = "web"
  role = aws_iam_role.web.name
}

resource "aws_instance" "web" {
  for_each               = toset(["a", "b"])
  ami                    = "ami-1"
  subnet_id              = aws_subnet.front[0].id
  iam_instance_profile   = aws_iam_instance_profile.web.name
  vpc_security_group_ids = [aws_security_group.web.id]
  user_data              = "password=SECRETVALUE"
  metadata_options {
    http_tokens = each.key == "a" ? "required" : "optional"
  }
}

module "worker" {
  source  = "./modules/worker"
  name    = "${local.name}-worker"
  account = data.aws_caller_identity.here.account_id
}

output "worker" {
  value = module.worker.arn
}
