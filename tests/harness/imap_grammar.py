"""A strict reader of what an IMAP server sends."""


class Broken(Exception):
    pass


class Checker:
    def sent(self, raw):
        pass

    def received(self, raw):
        pass
