# Replaces both schemas by those of a dump; with the argument `check` it only checks whether it could.
set -euo pipefail
umask 077
if [[ ! -f "/backup/$FILE" ]]; then
    echo "$FILE is not among the backups:" >&2
    ls /backup >&2
    exit 1
fi
gzip --test "/backup/$FILE"
printf '[client]\nhost="%s"\nport=%s\nuser=root\npassword="%s"\n%b' \
    "$MYSQL_HOST" "$MYSQL_PORT" "$ROOT_PASSWORD" \
    "${MYSQL_CA_FILE:+ssl-mode=VERIFY_IDENTITY\nssl-ca=\"$MYSQL_CA_FILE\"\n}" >/tmp/client.cnf
mysql --defaults-extra-file=/tmp/client.cnf --execute 'SELECT 1' >/dev/null
if [[ ${1-} == check ]]; then
    echo "$FILE can be restored"
    exit
fi
gzip --decompress --stdout "/backup/$FILE" | mysql --defaults-extra-file=/tmp/client.cnf
echo "$FILE is restored"
