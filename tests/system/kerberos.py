"""A Kerberos realm on loopback: Debian's KDC, as long as the `with` lasts.

    with Realm() as realm:
        realm.user("ann")
        realm.keytab("/etc/mailreeve/keytab", "imap/localhost", "pop/localhost")
        env = realm.tickets("ann", "/run/tmp/ann.cc")      # KRB5CCNAME and so on
"""
import os
import subprocess

from lib import SCRATCH, Skip, need, run, start, wait_for

NAME = "EXAMPLE.ORG"

CONF = """[libdefaults]
 default_realm = %(name)s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 %(name)s = {
  kdc = 127.0.0.1:10088
 }
[domain_realm]
 localhost = %(name)s
"""

KDC = """[kdcdefaults]
 kdc_listen = 127.0.0.1:10088
 kdc_tcp_listen = 127.0.0.1:10088
[realms]
 %(name)s = {
  database_name = %(where)s/principal
  key_stash_file = %(where)s/stash
 }
"""


class Realm:
    def __init__(self, name=NAME):
        need("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
        self.name = name
        self.where = SCRATCH + "/kdc"
        os.makedirs(self.where, exist_ok=True)
        for path, text in (("/etc/krb5.conf", CONF), (self.where + "/kdc.conf", KDC)):
            with open(path, "w") as f:
                f.write(text % {"name": name, "where": self.where})
        os.environ["KRB5_KDC_PROFILE"] = self.where + "/kdc.conf"
        run("kdb5_util", "create", "-s", "-r", name, "-P", "master")

    def __enter__(self):
        self.process = start(["/usr/sbin/krb5kdc", "-n"],
                             env={"KRB5_KDC_PROFILE": self.where + "/kdc.conf"})
        wait_for(lambda: "commencing operation" in self.process.said() or self.listening(),
                 "the KDC")
        return self

    def listening(self):
        with open("/proc/net/tcp") as f:
            return any(line.split()[1:4:2] == ["0100007F:%04X" % 10088, "0A"] for line in f)

    def __exit__(self, *what):
        self.process.terminate()
        self.process.wait(10)
        for name in os.listdir(self.where):
            os.unlink(os.path.join(self.where, name))

    def admin(self, command):
        return run("kadmin.local", "-r", self.name, "-q", command)

    def user(self, name, password="secret"):
        self.admin("addprinc -pw %s %s" % (password, name))

    def keytab(self, path, *principals):
        """A new keytab with the keys of these; they are made when missing."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        for name in principals:
            self.admin("addprinc -randkey " + name)
            self.admin("ktadd -k %s %s" % (path, name))
        os.chmod(path, 0o600)

    def tickets(self, name, cache, password="secret", options=()):
        """Logs in; the environment that clients find the tickets by."""
        env = dict(os.environ, KRB5CCNAME="FILE:" + cache)
        run("kinit", *options, name, input=password + "\n", env=env)
        return {"KRB5CCNAME": "FILE:" + cache}
