-- The tables of unixsip in PostgreSQL: psql -f postgres.sql DATABASE
-- credentials and domain are those of SIP Express Router's auth_db; location and acc have the columns of Kamailio's and some
-- of their own. A database of Kamailio's has location and acc: then only the statements at the end are for it.

CREATE TABLE IF NOT EXISTS credentials (
  id BIGSERIAL PRIMARY KEY,
  auth_username VARCHAR(64) NOT NULL,
  did VARCHAR(64) NOT NULL DEFAULT '_default',
  realm VARCHAR(255) NOT NULL,
  password VARCHAR(255) NOT NULL DEFAULT '',
  flags INTEGER NOT NULL DEFAULT 1,
  ha1 VARCHAR(32) NOT NULL DEFAULT '',
  ha1b VARCHAR(32) NOT NULL DEFAULT '',
  uid VARCHAR(64) NOT NULL DEFAULT '',
  UNIQUE (auth_username, realm, did)
);

CREATE TABLE IF NOT EXISTS domain (
  id BIGSERIAL PRIMARY KEY,
  did VARCHAR(64) NOT NULL,
  domain VARCHAR(255) NOT NULL UNIQUE,
  flags INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS location (
  id BIGSERIAL PRIMARY KEY,
  ruid VARCHAR(64) NOT NULL UNIQUE,
  username VARCHAR(64) NOT NULL,
  domain VARCHAR(255),
  contact TEXT NOT NULL,
  received VARCHAR(255),
  path TEXT,
  expires TIMESTAMP NOT NULL,
  q REAL NOT NULL DEFAULT 1.0,
  callid VARCHAR(255) NOT NULL DEFAULT '',
  cseq INTEGER NOT NULL DEFAULT 1,
  last_modified TIMESTAMP NOT NULL DEFAULT now(),
  flags INTEGER NOT NULL DEFAULT 0,
  cflags INTEGER NOT NULL DEFAULT 0,
  user_agent VARCHAR(255) NOT NULL DEFAULT '',
  socket VARCHAR(128),
  methods INTEGER,
  instance VARCHAR(255),
  reg_id INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS location_account_contact_idx ON location (username, domain);

CREATE TABLE IF NOT EXISTS acc (
  id BIGSERIAL PRIMARY KEY,
  method VARCHAR(16) NOT NULL DEFAULT '',
  from_tag VARCHAR(128) NOT NULL DEFAULT '',
  to_tag VARCHAR(128) NOT NULL DEFAULT '',
  callid VARCHAR(255) NOT NULL DEFAULT '',
  sip_code VARCHAR(3) NOT NULL DEFAULT '',
  sip_reason VARCHAR(255) NOT NULL DEFAULT '',
  time TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS sr_key (
  name VARCHAR(32) PRIMARY KEY,
  value VARCHAR(64) NOT NULL
);

ALTER TABLE location ADD COLUMN IF NOT EXISTS sr_line TEXT;

ALTER TABLE acc
  ADD COLUMN IF NOT EXISTS call_id VARCHAR(64),
  ADD COLUMN IF NOT EXISTS username VARCHAR(64),
  ADD COLUMN IF NOT EXISTS domain VARCHAR(255),
  ADD COLUMN IF NOT EXISTS direction VARCHAR(8),
  ADD COLUMN IF NOT EXISTS from_uri TEXT,
  ADD COLUMN IF NOT EXISTS to_uri TEXT,
  ADD COLUMN IF NOT EXISTS answer_time TIMESTAMP,
  ADD COLUMN IF NOT EXISTS end_time TIMESTAMP,
  ADD COLUMN IF NOT EXISTS duration DOUBLE PRECISION,
  ADD COLUMN IF NOT EXISTS status VARCHAR(16),
  ADD COLUMN IF NOT EXISTS record TEXT;
CREATE UNIQUE INDEX IF NOT EXISTS acc_call_of_account ON acc (call_id, username, domain);
