from django.db import IntegrityError, migrations, transaction
from django.db.models import Q

from connections.near_keys import near_key
from lookups.texts import read_key, read_text

FIELDS = {
    "Connection": {
        "customer_code": read_key, "profile_name": read_text, "customer_alias": read_text, "alternate_name": read_text,
        "website": read_key,
    },
    "Address": {
        "code": read_key, "name": read_text, "address_1": read_text, "address_2": read_text, "city": read_text,
        "state": read_text, "zip": read_text, "email": read_key, "phone": read_text,
    },
    "Door": {"code": read_key, "name": read_text},
    "Buyer": {"email": read_key, "name": read_text},
}  # fmt: skip
OTHER_THAN_PLAIN = r"[^\x20-\x7e]|^="


def read_texts(apps, schema_editor):
    """Say customers as files say them; where another one is called so already, both stay as they are."""
    changes = apps.get_model("connections", "Change").objects
    for name, fields in FIELDS.items():
        records = apps.get_model("connections", name).objects
        wanted = Q()
        for field in fields:
            wanted |= Q(**{f"{field}__regex": OTHER_THAN_PLAIN})
        for record in records.filter(wanted).iterator():
            for field, read in fields.items():
                old = getattr(record, field)
                if (new := read(old)) == old:
                    continue
                try:
                    with transaction.atomic():
                        records.filter(pk=record.pk).update(**{field: new})
                        if field == "customer_code":  # by which is found what happened to the customer
                            records.filter(pk=record.pk).update(near_key=near_key(new))
                            changes.filter(account=record.account_id, customer_code=old).update(customer_code=new)
                except IntegrityError:
                    pass


class Migration(migrations.Migration):
    """Files are read without what cannot be seen and in one form of Unicode, so what they name must be stored so.

    Else the next file would make a second customer of one that was stored before, or change it for nothing.
    """

    dependencies = [
        ("connections", "0010_index_near_keys"),
        ("lookups", "0003_read_texts"),
    ]

    operations = [
        migrations.RunPython(read_texts, migrations.RunPython.noop, elidable=True),
    ]
