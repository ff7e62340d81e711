"""A real Dovecot on loopback, on the mail of this host's accounts, as long as the `with` lasts.

    with Dovecot("mail_location = maildir:~/Maildir\n"):
        imaplib.IMAP4("127.0.0.1", IMAP).login(who.name, "secret")
"""
import socket
import subprocess

from lib import need, wait_for

IMAP, POP3 = 1143, 1110

CONF = """protocols = imap pop3
base_dir = /run/dovecot
log_path = /run/dovecot.log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 500
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = passwd
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %d
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = %d
  }
}
service anvil {
  chroot =
}
namespace inbox {
  inbox = yes
%%s}
%%s""" % (IMAP, POP3)


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Dovecot:
    def __init__(self, settings, namespace=""):
        self.text = CONF % (namespace, settings)

    def __enter__(self):
        need("dovecot")
        with open("/run/dovecot.conf", "w") as f:
            f.write(self.text)
        self.process = subprocess.Popen(["dovecot", "-F", "-c", "/run/dovecot.conf"])
        wait_for(lambda: listening(IMAP) and listening(POP3), "dovecot")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
