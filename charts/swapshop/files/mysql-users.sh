#!/bin/bash
# Creates SwapShop's schemas, users and grants, and updates the users' passwords; you can run it as often as you like.
# A user's previous password stays valid together with the new one (MySQL's dual passwords), so that pods can use it
# until they are restarted.
#
# Grants are on tables and columns, so they wait for the migration that makes the tables: start the script before you
# install, and let it run. With the argument `users` it leaves the tables' grants out, with `grants` it does only those.
#
# Needs the mysql client and in the environment: MYSQL_HOST, MYSQL_PORT; ADMIN_USER and ADMIN_PASSWORD, who may create
# users; and the passwords API_PASSWORD, API_DDL_PASSWORD, HOUSEKEEPING_PASSWORD, RECEIVER_PASSWORD,
# RECEIVER_DDL_PASSWORD, EXPORTER_PASSWORD and BACKUP_PASSWORD, of letters and digits. With MONITOR_PASSWORD there is also swapshop_monitor, for mysqld_exporter:
# without any grant it sees the server's status and variables. With MYSQL_CA_FILE all connections use
# TLS, verified with the certificates in that file.
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

make_users() {
    ensure_user swapshop_api "$API_PASSWORD"
    ensure_user swapshop_api_ddl "$API_DDL_PASSWORD"
    ensure_user swapshop_housekeeping "$HOUSEKEEPING_PASSWORD"
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
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON swapshop.* TO 'swapshop_api_ddl'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON notifications.* TO 'swapshop_receiver_ddl'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER ON swapshop.* TO 'swapshop_backup'@'%';
GRANT SELECT, SHOW VIEW, TRIGGER ON notifications.* TO 'swapshop_backup'@'%';
SQL
    echo 'schemas and users are up to date'
}

# The api cannot change the audit, nor a role: `users promote` and the like are the DDL user's. A test runs the services
# with these grants, and holds them against the tables.
grant_tables() {
    admin <<'GRANTS'
GRANT SELECT ON swapshop.schema_version TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE (password_hash) ON swapshop.users TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.refresh_families TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.refresh_tokens TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.orders TO 'swapshop_api'@'%';
GRANT SELECT, INSERT ON swapshop.order_items TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.deliveries TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE (received) ON swapshop.leases TO 'swapshop_api'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.delivery_attempts TO 'swapshop_api'@'%';
GRANT SELECT, INSERT ON swapshop.audit TO 'swapshop_api'@'%';
GRANT SELECT, DELETE ON swapshop.refresh_families TO 'swapshop_housekeeping'@'%';
GRANT SELECT, DELETE ON swapshop.refresh_tokens TO 'swapshop_housekeeping'@'%';
GRANT SELECT, DELETE ON swapshop.deliveries TO 'swapshop_housekeeping'@'%';
GRANT SELECT, DELETE ON swapshop.leases TO 'swapshop_housekeeping'@'%';
GRANT SELECT, DELETE ON swapshop.delivery_attempts TO 'swapshop_housekeeping'@'%';
GRANT SELECT, DELETE ON swapshop.audit TO 'swapshop_housekeeping'@'%';
GRANT SELECT, INSERT, UPDATE ON swapshop.totals TO 'swapshop_housekeeping'@'%';
GRANT SELECT ON notifications.schema_version TO 'swapshop_receiver'@'%';
GRANT SELECT, INSERT, UPDATE ON notifications.notifications TO 'swapshop_receiver'@'%';
GRANT SELECT ON swapshop.schema_version TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.orders TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.deliveries TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.leases TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.delivery_attempts TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.audit TO 'swapshop_exporter'@'%';
GRANT SELECT ON swapshop.totals TO 'swapshop_exporter'@'%';
GRANT SELECT (webhook_id, order_id, evento, received_at) ON notifications.notifications TO 'swapshop_exporter'@'%';
GRANTS
}

# Releases before these grants gave whole schemas. The tables' grants are there first, so nothing is refused meanwhile.
revoke_schemas() {
    admin <<'SQL'
REVOKE IF EXISTS SELECT, INSERT, UPDATE, DELETE ON swapshop.* FROM 'swapshop_api'@'%';
REVOKE IF EXISTS SELECT, INSERT, UPDATE, DELETE ON notifications.* FROM 'swapshop_receiver'@'%';
REVOKE IF EXISTS SELECT ON swapshop.* FROM 'swapshop_exporter'@'%';
REVOKE IF EXISTS SELECT ON notifications.* FROM 'swapshop_exporter'@'%';
SQL
}

phase=${1-all}
if [ "$phase" != grants ]; then
    make_users
fi
if [ "$phase" != users ]; then
    # Each second, so that a table that a migration adds has its grants before a pod is ready to use it.
    until grant_tables; do
        echo 'waiting for the tables, which the migration makes'
        sleep 1
    done
    revoke_schemas
    echo 'grants are up to date'
fi
rm -f /tmp/client.cnf
