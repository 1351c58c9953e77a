import hashlib
import hmac
import json
from datetime import UTC

from django.conf import settings
from django.db import migrations, models

from registry import sql

GENESIS = "0" * 64
KEPT = ("registry_seal", "pghistory_context")


def mac_of(event):
    """As events were chained until now."""
    said = [
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.action,
        event.actor_id,
        event.centre_id,
        event.target,
        event.request_id,
        event.body,
        event.previous,
    ]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    key = settings.AUDIT_KEY.encode()
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def check_chain(apps, schema_editor):
    """The chain ends here; it must hold, or nothing is changed."""
    events = apps.get_model("registry", "AuditEvent").objects.order_by("pk")
    previous, count = GENESIS, 0
    for event in events.iterator(chunk_size=2000):
        if event.previous != previous or event.mac != mac_of(event):
            raise RuntimeError(
                f"The audit trail is broken at event {event.pk}: altered, or not after"
                " its predecessor, or AUDIT_KEY is another. Nothing was migrated."
                " Restore the database or the key that belongs to it."
            )
        previous, count = event.mac, count + 1
    if count:
        closing = events.model(
            action="audit.chain_closed", body={"events": count, "head": previous}
        )
        closing.previous = closing.mac = previous
        closing.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0007_partial_days"),
        # Its last one makes the function that is replaced here.
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.RunPython(check_chain, migrations.RunPython.noop),
        migrations.RemoveField("auditevent", "previous"),
        migrations.RemoveField("auditevent", "mac"),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("table", models.CharField(max_length=63)),
                ("after", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                ("spans", models.JSONField()),
                ("count", models.PositiveIntegerField()),
                ("total", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("marks", models.BinaryField()),
                ("columns", models.JSONField()),
                ("shape", models.CharField(max_length=16)),
                ("awaited", models.JSONField()),
                ("server", models.CharField(max_length=20)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("previous", models.CharField(max_length=64, unique=True)),
                ("mac", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["table", "-id"], name="seal_of_table")],
            },
        ),
        migrations.RunSQL(sql.CONTEXT_NUMBER, sql.DROP_CONTEXT_NUMBER),
        migrations.RunSQL(sql.ATTACH_CONTEXT, migrations.RunSQL.noop),
        *(
            migrations.RunSQL(
                sql.APPEND_ONLY.format(table=table),
                sql.DROP_APPEND_ONLY.format(table=table),
            )
            for table in KEPT
        ),
    ]
