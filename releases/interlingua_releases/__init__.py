"""Versions of what a running server serves, changed without a request failing.

    export: a version on the disk      publish: loaded beside what is served      promote: checked, and the default
    rollback: the one before is the default again                                 prune: what nobody needs is gone

The exporter's work ends with files; this is about processes that read them and about the clients that ask those. It
uses the model repository, the exporter's gate and the client's index.
"""
