"""Reads and prints bookings. Wrong in the ways in which such code is wrong: it is a sample."""

import hashlib
import pickle
import subprocess

import yaml


def load_manifest(text: str) -> dict:
    """A customer's manifest, as it was uploaded."""
    return yaml.load(text, Loader=yaml.FullLoader)


def restore_draft(blob: bytes) -> object:
    """A draft from the browser's cookie."""
    return pickle.loads(blob)


def print_label(booking: str) -> None:
    """Sends a label to the printer in the hall."""
    subprocess.call("lp -d hall " + booking, shell=True)


def reference(customer: str) -> str:
    """The number that is printed on the label."""
    return hashlib.md5(customer.encode()).hexdigest()[:10]
