# Replaces both schemas by those of a dump.
set -euo pipefail
umask 077
gzip --test "/backup/$FILE"
printf '[client]\nhost="%s"\nport=%s\nuser=root\npassword="%s"\n' \
    "$MYSQL_HOST" "$MYSQL_PORT" "$ROOT_PASSWORD" >/tmp/client.cnf
gzip --decompress --stdout "/backup/$FILE" | mysql --defaults-extra-file=/tmp/client.cnf
echo "$FILE is restored"
