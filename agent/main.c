/* fairlead-agent: Fairlead in a customer's own network. It pulls what it is to run, listens on nothing, and
 * does nothing that its customer's policy does not allow. */
#include "agent/agent.h"
#include "io/tunnel.h"

static struct conf_row conf[] = {
    PROGRAM_OPTIONS("/var/lib/fairlead-agent", "/run/fairlead/agent", ""),
    CONF_LIST("roles", "host,edge,prober", "what this node does", "host edge prober"),
    CONF_TEXT("policy", "/etc/fairlead/policy.yaml",
              "what may be done here; where there never was one, all is allowed"),
    CONF_TEXT(
        "plane-key", "",
        "public half of the recovery key that the plane's first machine made; empty: this is the first"),
    CONF_TEXT("signatures", "/etc/fairlead/signatures",
              "folder of second signatures, NAME.sig each, where the policy names a signer"),
    CONF_TEXT("proxy", "",
              "HTTP proxy by which everything goes out, http://[USER:PASSWORD@]HOST:PORT; empty: none"),
    CONF_TEXT("recovery-key", "/var/lib/fairlead-agent/recovery.keys",
              "file of the recovery key, which the first enrolment in a plane makes"),
    {0},
};

static struct agent agent = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int fill(struct host *host, struct err *err) {
    agent.host = host;
    agent.policy_file = program_path(conf_get(conf, "policy"));
    agent.signatures = program_path(conf_get(conf, "signatures"));
    host->conf.is_private = true;
    host->conf.roles = role_bits(conf_get(conf, "roles"));
    host->conf.recovery_key = program_path(conf_get(conf, "recovery-key"));
    host->conf.plane_key = conf_get(conf, "plane-key");
    host->conf.allows = agent_allows;
    host->conf.done = agent_done;
    host->conf.tell = agent_tell;
    host->conf.arg = &agent;
    return tunnel_use(conf_get(conf, "proxy"), err);
}

static const struct program_command commands[] = {
    {{"enrol", "ask"},
     2,
     agent_enrol_ask,
     "TOKEN FILE",
     "without a link: what is to be carried to the provider (\"fairlead node enrol\")"},
    {{"enrol"}, 2, agent_enrol_by, "TOKEN FILE", "... and what came back from there: join with it"},
    {{"export"},
     1,
     agent_export,
     "FILE",
     "without a link: what there is to say, to be carried to the provider"},
    {{"status"}, 0, agent_status, "", "what runs here, what is refused and why, when it was last heard of"},
    {{"log"}, 0, agent_log, "", "what was done here, and what was refused"},
    {{"pause"}, 0, agent_pause, "", "nothing new is done until \"resume\"; what runs is kept running"},
    {{"resume"}, 0, agent_resume, "", "what came meanwhile is done"},
    {{"show-secrets"},
     1,
     agent_show_secrets,
     "INSTANCE",
     "its passwords, which are known on this machine only"},
    {{"policy"}, 0, agent_check_policy, "", "reads the policy, and says what it allows"},
    {{"policy", "fields"}, 0, agent_policy_fields, "", "what a policy may say, as Markdown"},
    {{"unsigned"},
     0,
     agent_list_unsigned,
     "",
     "what waits for a signature of yours: its name, the app, the instance"},
    {{"unsigned"}, 1, agent_show_unsigned, "NAME", "all that is signed, to read, and for \"fairlead sign\""},
    {{"leave"},
     0,
     agent_leave,
     "",
     "forgets the provider: what runs here runs on, and is the customer's to remove"},
    {.run = NULL},
};

int main(int argc, char **argv) {
    static const struct program program = {.name = "agent",
                                           .conf = conf,
                                           .runs = "what is wanted of this machine (the default)",
                                           .commands = commands,
                                           .fill = fill};
    return program_main(&program, argc, argv);
}
