from django.db import IntegrityError, migrations, transaction
from django.db.models import Q

from lookups.texts import read_key

FIELDS = {
    "PriceType": ("label",),
    **dict.fromkeys(
        ("PaymentTerm", "ShippingTerm", "Warehouse", "CustomerGroup", "CompanyNumber"), ("code", "name")
    ),
    "SalesRep": ("code", "name", "email"),
}
OTHER_THAN_PLAIN = r"[^\x20-\x7e]|^="


def read_texts(apps, schema_editor):
    """Say entries as files name them; where another one is called so already, both stay as they are."""
    for name, fields in FIELDS.items():
        entries = apps.get_model("lookups", name).objects
        wanted = Q()
        for field in fields:
            wanted |= Q(**{f"{field}__regex": OTHER_THAN_PLAIN})
        for entry in entries.filter(wanted).iterator():
            for field in fields:
                old = getattr(entry, field)
                if (new := read_key(old)) == old:
                    continue
                try:
                    with transaction.atomic():
                        entries.filter(pk=entry.pk).update(**{field: new})
                except IntegrityError:
                    pass


class Migration(migrations.Migration):
    """Files are read without what cannot be seen and in one form of Unicode, so what they name must be stored so."""

    dependencies = [
        ("lookups", "0002_salesrep_email_message"),
    ]

    operations = [
        migrations.RunPython(read_texts, migrations.RunPython.noop, elidable=True),
    ]
