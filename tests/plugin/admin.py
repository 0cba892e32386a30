from django.contrib import admin

from accounts.admin.owned import ReadOnlyAdmin
from tests.plugin.models import Heard


@admin.register(Heard)
class HeardAdmin(ReadOnlyAdmin):
    list_display = ["run", "status", "account"]
