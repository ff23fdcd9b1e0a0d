/* The one way out: what names a proxy, and what does not. A word that may hold a password is never repeated.
 */
#include "base/str.h"
#include "io/tunnel.h"
#include "tests/support/check.h"

#include <string.h>

static void a_proxy_is_named_by_a_url(void **state) {
    static const char *const good[] = {"http://proxy.lan:3128", "http://10.0.0.1:8080",
                                       "http://town:mouse@proxy.lan:3128",
                                       "http://town:m@use@proxy.lan:3128"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = {0};
        assert_int_equal(tunnel_use(good[i], &err), 0);
        const char *user, *password, *url = tunnel_proxy(&user, &password);
        assert_true(str_starts(url, "http://") && !strchr(url, '@'));
        assert_true(!strchr(good[i], '@') == !user);
        if (user)
            assert_true(str_eq(user, "town") && (str_eq(password, "mouse") || str_eq(password, "m@use")));
    }
    struct err err = {0};
    assert_int_equal(tunnel_use("", &err), 0);
    const char *user, *password;
    assert_null(tunnel_proxy(&user, &password));
}

static void what_is_no_proxy_is_refused(void **state) {
    static const char *const bad[] = {
        "proxy.lan:3128",  "https://proxy.lan:3128", "socks5://proxy.lan:1080", "http://proxy.lan",
        "http://:3128",    "http://proxy.lan:0",     "http://proxy.lan:65536",  "http://proxy.lan:3128/",
        "http://a b:3128", "http://town@proxy:3128", "http://x\r\ny:3128",      "http://mouse:@:1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        if (tunnel_use(bad[i], &err) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.cls, ERR_PARK);
        assert_null(strstr(err.text, "mouse"));
        const char *user, *password;
        assert_null(tunnel_proxy(&user, &password));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_is_named_by_a_url),
        cmocka_unit_test(what_is_no_proxy_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
