CREATE TABLE IF NOT EXISTS {instance} (
    id text PRIMARY KEY,
    set_name text NOT NULL,
    build text NOT NULL,
    host text NOT NULL,
    login text NOT NULL,
    application text NOT NULL,
    client inet,
    capabilities text[] NOT NULL,
    contracts bigint[] NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE {instance} IS 'Instances of the application that are alive, by what they say themselves. Any row may be deleted: whoever is alive says so again.';
COMMENT ON COLUMN {instance}.id IS 'Host, process and a random number.';
COMMENT ON COLUMN {instance}.set_name IS 'The application or part of one whose migrations it has.';
COMMENT ON COLUMN {instance}.build IS 'Name and version of the program.';
COMMENT ON COLUMN {instance}.host IS 'Where it runs, with its process number.';
COMMENT ON COLUMN {instance}.login IS 'The role that its pool connects as.';
COMMENT ON COLUMN {instance}.application IS 'application_name of its pool; with the role and the address it tells its sessions from those of others.';
COMMENT ON COLUMN {instance}.client IS 'The address that it connects from, as the server sees it; NULL is a Unix socket.';
COMMENT ON COLUMN {instance}.capabilities IS 'What it says that it can do: Migrator::capability.';
COMMENT ON COLUMN {instance}.contracts IS 'The versions whose contracts it has compiled in.';
COMMENT ON COLUMN {instance}.started_at IS 'When it said so first, by the clock of the server.';
COMMENT ON COLUMN {instance}.seen_at IS 'When it said so last.';
COMMENT ON COLUMN {instance}.expires_at IS 'From when on it counts as gone, unless it says so again.';
CREATE TABLE IF NOT EXISTS {stranger} (
    login text NOT NULL,
    application text NOT NULL,
    first_seen timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (login, application)
);
COMMENT ON TABLE {stranger} IS 'Sessions of this database that no live instance accounted for when it looked. Any row may be deleted.';
COMMENT ON COLUMN {stranger}.login IS 'The role that connected.';
COMMENT ON COLUMN {stranger}.application IS 'application_name of the session.';
COMMENT ON COLUMN {stranger}.first_seen IS 'When it was seen first, by the clock of the server.';
COMMENT ON COLUMN {stranger}.seen_at IS 'When it was seen last.';
CREATE TABLE IF NOT EXISTS {approval} (
    set_name text NOT NULL,
    version bigint NOT NULL,
    evidence text NOT NULL,
    lines text NOT NULL,
    reason text NOT NULL,
    login text NOT NULL,
    approved_at timestamptz NOT NULL,
    PRIMARY KEY (set_name, version)
);
COMMENT ON TABLE {approval} IS 'Contracts whose evidence somebody has seen and approved.';
COMMENT ON COLUMN {approval}.set_name IS 'The application or part of one whose migrations these are.';
COMMENT ON COLUMN {approval}.version IS 'Version of the contract.';
COMMENT ON COLUMN {approval}.evidence IS 'SHA-256 over what was found, in hexadecimal; another evidence is not approved.';
COMMENT ON COLUMN {approval}.lines IS 'What was found, a line each.';
COMMENT ON COLUMN {approval}.reason IS 'Why, as the person said.';
COMMENT ON COLUMN {approval}.login IS 'The role that they connected as.';
COMMENT ON COLUMN {approval}.approved_at IS 'When, by the clock of the server.';
