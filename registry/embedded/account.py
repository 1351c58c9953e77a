"""The system account under which the embedded PostgreSQL runs.

PostgreSQL refuses to run as root. Started by root, it runs as the owner of its data, or
else as ``postgres`` or ``nobody``, whichever the system has. Such an account often cannot
enter the checkout (a folder of mode 0700 on the way is enough). No permission of a
folder is changed for that: the process gets the capability to pass instead, and only
where it is needed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from registry.embedded.errors import ServiceError

ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Who runs the server: ``prefix`` goes before each command line."""

    user_id: int
    group_id: int
    prefix: tuple[str, ...] = ()

    def owns(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.user_id, self.group_id)


def account_for(data: Path, program: Path) -> Account:
    """The account for this data folder, checked to reach the folder and the program."""
    if os.geteuid() != 0:
        check_owner(data)
        return Account(os.geteuid(), os.getegid())
    user = data_owner(data) or first_account()
    for capability in ("", "+dac_override"):
        account = Account(user.pw_uid, user.pw_gid, change_of_user(user, capability))
        if can_reach(account, data.parent, program):
            return account
    raise ServiceError(
        f"PostgreSQL does not run as root, and the account {user.pw_name!r} cannot"
        f" enter {data.parent}. Run as an ordinary user, or move the checkout to a"
        " folder that everybody can enter."
    )


def check_owner(data: Path) -> None:
    if data.exists() and data.stat().st_uid != os.geteuid():
        raise ServiceError(
            f"{data} belongs to another user (it was probably made by root)."
            " Start as that user, or move the folder away to begin with an empty"
            " database."
        )


def data_owner(data: Path) -> pwd.struct_passwd | None:
    if not data.exists() or data.stat().st_uid == 0:
        return None
    try:
        return pwd.getpwuid(data.stat().st_uid)
    except KeyError:
        raise ServiceError(
            f"{data} belongs to user number {data.stat().st_uid}, which this system"
            " does not know. Give it to the user 'postgres' (chown -R)."
        ) from None


def first_account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServiceError(
        "PostgreSQL does not run as root, and this system has neither the user"
        " 'postgres' nor 'nobody'. Run as an ordinary user."
    )


def change_of_user(user: pwd.struct_passwd, capability: str) -> tuple[str, ...]:
    program = shutil.which("setpriv")
    if program is None:
        raise ServiceError(
            "PostgreSQL does not run as root, and the program 'setpriv' (package"
            " util-linux) is missing. Install it or run as an ordinary user."
        )
    change = (
        program,
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
    )
    if not capability:
        return change
    # Without the last one, PostgreSQL's own question "may I run this?" (access(2)) is
    # answered as if the process had no capability.
    return (
        *change,
        f"--inh-caps={capability}",
        f"--ambient-caps={capability}",
        "--securebits=+no_setuid_fixup",
    )


def can_reach(account: Account, folder: Path, program: Path) -> bool:
    check = 'cd "$1" && "$2" --version >/dev/null'
    command = [*account.prefix, "/bin/sh", "-c", check, "sh", str(folder), str(program)]
    answer = subprocess.run(command, cwd="/", capture_output=True, check=False)  # noqa: S603
    return answer.returncode == 0
