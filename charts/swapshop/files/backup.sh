# Dumps a consistent snapshot of both schemas; a dump gets its final name once it is complete.
set -euo pipefail
umask 077
printf '[client]\nhost="%s"\nport=%s\nuser=swapshop_backup\npassword="%s"\n%b' \
    "$MYSQL_HOST" "$MYSQL_PORT" "$BACKUP_PASSWORD" \
    "${MYSQL_CA_FILE:+ssl-mode=VERIFY_IDENTITY\nssl-ca=\"$MYSQL_CA_FILE\"\n}" >/tmp/client.cnf
# Remove incomplete dumps of earlier runs.
rm -f /backup/.swapshop-*.sql.gz
TZ=UTC printf -v name 'swapshop-%(%Y%m%dT%H%M%SZ)T.sql.gz' -1
mysqldump --defaults-extra-file=/tmp/client.cnf --single-transaction --set-gtid-purged=OFF --no-tablespaces \
    --hex-blob --add-drop-database --databases swapshop notifications | gzip >"/backup/.$name"
mv "/backup/.$name" "/backup/$name"
sync "/backup/$name" /backup
echo "$name is whole"
dumps=(/backup/swapshop-*.sql.gz)
for ((index = 0; index < ${#dumps[@]} - KEEP; index++)); do
    rm "${dumps[index]}"
    echo "${dumps[index]} is removed"
done
