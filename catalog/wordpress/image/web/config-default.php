<?php
/* What the operator decides; read by Debian's wp-config.php. No value passes through a shell. */
define('DB_NAME', 'app');
define('DB_USER', 'app');
define('DB_HOST', getenv('DB_HOST') ?: 'db');
define('DB_PASSWORD', rtrim((string) file_get_contents('/run/secrets/db_password'), "\r\n"));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
define('WPMU_PLUGIN_DIR', '/opt/app/mu-plugins');
define('WP_ALLOW_MULTISITE', false);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISALLOW_FILE_EDIT', true);
define('DISABLE_WP_CRON', true);
define('FS_METHOD', 'direct');
define('WP_DEBUG', false);

/* The address is what was ordered, whatever Host the proxy in front passes on:
 * so neither a lost port nor a lost scheme makes a redirect loop. */
$public = parse_url((string) getenv('PUBLIC_URL'));
if (!isset($public['scheme'], $public['host'])) {
    http_response_code(500);
    exit("PUBLIC_URL is not usable\n");
}
$_SERVER['HTTP_HOST'] = $public['host'] . (isset($public['port']) ? ':' . $public['port'] : '');
unset($_SERVER['HTTPS'], $_SERVER['HTTP_X_FORWARDED_PROTO']);
if ($public['scheme'] === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
unset($public);
