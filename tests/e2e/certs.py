"""certs.py: certificates for tests, made with openssl(1) when they are wanted.

`Certs(folder)` has a CA, and `issue` makes certificates from it; everything is a PEM file in the
folder. Keys are on the P-256 curve: they are made in no time.
"""
import datetime
import os
import subprocess

DAY = datetime.timedelta(days=1)


def openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("openssl %s: %s" % (" ".join(args), done.stderr))


def when(days):
    return (datetime.datetime.now(datetime.timezone.utc) + days * DAY).strftime("%Y%m%d%H%M%SZ")


class Certs:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.number = 0
        self.ca, self.ca_key = self.own("ca", "Test CA")

    def path(self, name):
        return os.path.join(self.folder, name)

    def key(self, name):
        path = self.path(name + ".key")
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", path)
        return path

    def own(self, name, subject, san=None):
        """A self-signed certificate: its path and that of its key. Without `san` a CA."""
        key, path = self.key(name), self.path(name + ".pem")
        extra = "subjectAltName=" + san if san else "keyUsage=keyCertSign,cRLSign"
        openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=" + subject, "-days", "30",
                "-addext", extra, "-out", path)
        return path, key

    def issue(self, name, san="IP:127.0.0.1,IP:::1,DNS:localhost", days=(-1, 30), subject="test"):
        """A certificate from our CA: its path and that of its key."""
        key, path, request = self.key(name), self.path(name + ".pem"), self.path(name + ".csr")
        self.number += 1
        folder = self.path("db_" + name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "index"), "w", encoding="ascii"):
            pass
        with open(os.path.join(folder, "conf"), "w", encoding="ascii") as conf:
            conf.write(CONFIG % (folder, folder, san))
        openssl("req", "-new", "-key", key, "-subj", "/CN=" + subject, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", os.path.join(folder, "conf"), "-in", request,
                "-out", path, "-cert", self.ca, "-keyfile", self.ca_key,
                "-startdate", when(days[0]), "-enddate", when(days[1]))
        return path, key


CONFIG = """
[ca]
default_ca = test
[test]
database = %s/index
new_certs_dir = %s
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = %s
"""
