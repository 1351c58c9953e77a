"""Backups: one file holds the whole database and says what it should be.

The file is a zip archive (ZIP_STORED) of ``registry.dump``, written by ``pg_dump`` in its custom
format, and ``manifest.json`` with the hash of the dump, the rows of every table and the
versions that made it. Both come from one snapshot of the database. Where recipients are
given, the archive is encrypted for them in the format of age (age-encryption.org), which
any age program opens.
"""
