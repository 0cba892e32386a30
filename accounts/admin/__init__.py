"""What the admin of every app has in common, and the admin of accounts, users and tokens."""

from accounts.admin.accounts import AccountAdmin
from accounts.admin.tokens import TokenAdmin
from accounts.admin.users import UserAdmin

__all__ = ["AccountAdmin", "TokenAdmin", "UserAdmin"]
