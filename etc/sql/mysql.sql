-- The tables of unixsip in MySQL or MariaDB: mariadb DATABASE < mysql.sql
-- credentials and domain are those of SIP Express Router's auth_db; location and acc have the columns of Kamailio's and some
-- of their own. In a database of Kamailio's, which has location and acc, only the statements at the end change anything.

CREATE TABLE IF NOT EXISTS credentials (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  auth_username VARCHAR(64) NOT NULL,
  did VARCHAR(64) NOT NULL DEFAULT '_default',
  realm VARCHAR(255) NOT NULL,
  password VARCHAR(255) NOT NULL DEFAULT '',
  flags INT NOT NULL DEFAULT 1,
  ha1 VARCHAR(32) NOT NULL DEFAULT '',
  ha1b VARCHAR(32) NOT NULL DEFAULT '',
  uid VARCHAR(64) NOT NULL DEFAULT '',
  UNIQUE (auth_username, realm, did)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS domain (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  did VARCHAR(64) NOT NULL,
  domain VARCHAR(255) NOT NULL UNIQUE,
  flags INT NOT NULL DEFAULT 0
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS location (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  ruid VARCHAR(64) NOT NULL UNIQUE,
  username VARCHAR(64) NOT NULL,
  domain VARCHAR(255),
  contact TEXT NOT NULL,
  received VARCHAR(255),
  path TEXT,
  expires DATETIME NOT NULL,
  q FLOAT(10, 2) NOT NULL DEFAULT 1.0,
  callid VARCHAR(255) NOT NULL DEFAULT '',
  cseq INT NOT NULL DEFAULT 1,
  last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  flags INT NOT NULL DEFAULT 0,
  cflags INT NOT NULL DEFAULT 0,
  user_agent VARCHAR(255) NOT NULL DEFAULT '',
  socket VARCHAR(128),
  methods INT,
  instance VARCHAR(255),
  reg_id INT NOT NULL DEFAULT 0,
  INDEX location_account_contact_idx (username, domain)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS acc (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  method VARCHAR(16) NOT NULL DEFAULT '',
  from_tag VARCHAR(128) NOT NULL DEFAULT '',
  to_tag VARCHAR(128) NOT NULL DEFAULT '',
  callid VARCHAR(255) NOT NULL DEFAULT '',
  sip_code VARCHAR(3) NOT NULL DEFAULT '',
  sip_reason VARCHAR(255) NOT NULL DEFAULT '',
  time DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sr_key (
  name VARCHAR(32) PRIMARY KEY,
  value VARCHAR(64) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- MySQL itself has no IF NOT EXISTS here: there, leave out what is there already.
ALTER TABLE location ADD COLUMN IF NOT EXISTS sr_line TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE acc
  ADD COLUMN IF NOT EXISTS call_id VARCHAR(64),
  ADD COLUMN IF NOT EXISTS username VARCHAR(64),
  ADD COLUMN IF NOT EXISTS domain VARCHAR(255),
  ADD COLUMN IF NOT EXISTS direction VARCHAR(8),
  ADD COLUMN IF NOT EXISTS from_uri TEXT,
  ADD COLUMN IF NOT EXISTS to_uri TEXT,
  ADD COLUMN IF NOT EXISTS answer_time DATETIME,
  ADD COLUMN IF NOT EXISTS end_time DATETIME,
  ADD COLUMN IF NOT EXISTS duration DOUBLE,
  ADD COLUMN IF NOT EXISTS status VARCHAR(16),
  ADD COLUMN IF NOT EXISTS record TEXT;
CREATE UNIQUE INDEX IF NOT EXISTS acc_call_of_account ON acc (call_id, username, domain);
