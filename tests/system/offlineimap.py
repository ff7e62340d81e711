"""offlineimap between the mail of an account and ~/local, once a call."""

CONF = """[general]
accounts = a
ui = quiet
metadata = %(home)s/.offlineimap
[Account a]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = %(home)s/local
[Repository there]
type = IMAP
remotehost = localhost
remoteuser = %(user)s
ssl = yes
sslcacertfile = /etc/mailreeve/tls.crt
%(login)s
"""


def synchronize(who, login):
    """With these lines on how to log in."""
    rc = who.file(".offlineimaprc", CONF % {"home": who.home, "user": who.name, "login": login})
    who.run("offlineimap", "-o", "-c", rc)
