#!/bin/bash
# Makes SwapShop's schemas, users and grants, and brings the users' passwords up to date; run it as often as you like.
# A user's former password stays valid beside the new one (MySQL's dual passwords), so that pods keep theirs until they
# are restarted.
#
# Needs the mysql client and in the environment: MYSQL_HOST, MYSQL_PORT; ADMIN_USER and ADMIN_PASSWORD, who may create
# users; and the passwords API_PASSWORD, API_DDL_PASSWORD, RECEIVER_PASSWORD, RECEIVER_DDL_PASSWORD, EXPORTER_PASSWORD
# and BACKUP_PASSWORD, of letters and digits. With MONITOR_PASSWORD there is also swapshop_monitor, for mysqld_exporter:
# without any grant it sees the server's status and variables. With MYSQL_CA_FILE the server is spoken to through TLS
# alone, and verified by the certificates in that file.
set -euo pipefail
umask 077

# Passwords go through a file: arguments can be read by every process of the machine.
client() {
    local user=$1 password=$2
    shift 2
    printf '[client]\nhost="%s"\nport=%s\nuser="%s"\npassword="%s"\nconnect-timeout=5\n%b' \
        "$MYSQL_HOST" "$MYSQL_PORT" "$user" "$password" \
        "${MYSQL_CA_FILE:+ssl-mode=VERIFY_IDENTITY\nssl-ca=\"$MYSQL_CA_FILE\"\n}" >/tmp/client.cnf
    mysql --defaults-extra-file=/tmp/client.cnf --batch --skip-column-names "$@"
}

admin() { client "$ADMIN_USER" "$ADMIN_PASSWORD" "$@"; }

until admin --execute 'SELECT 1' >/dev/null; do
    echo "waiting for MySQL at $MYSQL_HOST:$MYSQL_PORT"
    sleep 2
done

ensure_user() {
    local user=$1 password=$2
    case $password in
        '' | *[!A-Za-z0-9]*)
            echo "the password of $user must be of letters and digits" >&2
            exit 1
            ;;
    esac
    admin <<<"CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '$password';"
    if ! client "$user" "$password" --execute 'SELECT 1' >/dev/null 2>&1; then
        admin <<<"ALTER USER '$user'@'%' IDENTIFIED BY '$password' RETAIN CURRENT PASSWORD;"
        echo "$user has a new password; the former one stays valid"
    fi
}

ensure_user swapshop_api "$API_PASSWORD"
ensure_user swapshop_api_ddl "$API_DDL_PASSWORD"
ensure_user swapshop_receiver "$RECEIVER_PASSWORD"
ensure_user swapshop_receiver_ddl "$RECEIVER_DDL_PASSWORD"
ensure_user swapshop_exporter "$EXPORTER_PASSWORD"
ensure_user swapshop_backup "$BACKUP_PASSWORD"
if [ -n "${MONITOR_PASSWORD-}" ]; then
    ensure_user swapshop_monitor "$MONITOR_PASSWORD"
    admin <<<"ALTER USER 'swapshop_monitor'@'%' WITH MAX_USER_CONNECTIONS 5;"
fi

admin <<'SQL'
CREATE DATABASE IF NOT EXISTS swapshop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE IF NOT EXISTS notifications CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
GRANT SELECT, INSERT, UPDATE, DELETE ON swapshop.* TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON swapshop.* TO 'swapshop_api_ddl'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications.* TO 'swapshop_receiver'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON notifications.* TO 'swapshop_receiver_ddl'@'%';
GRANT SELECT ON swapshop.* TO 'swapshop_exporter'@'%';
GRANT SELECT ON notifications.* TO 'swapshop_exporter'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER ON swapshop.* TO 'swapshop_backup'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER ON notifications.* TO 'swapshop_backup'@'%';
SQL
rm -f /tmp/client.cnf
echo 'schemas, users and grants are up to date'
