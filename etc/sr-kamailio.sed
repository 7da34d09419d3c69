# Makes a configuration for Kamailio over `sipctl db serve` of Debian's stock one; sr_db(7) has each of these lines:
#   sed -f sr-kamailio.sed /etc/kamailio/kamailio.cfg >sr-kamailio.cfg
# What is to be changed: the password in DBURL, which is that of DbCredentials.
/^import_file "kamailio-local.cfg"/a\
#!define WITH_AUTH\
#!define WITH_USRLOCDB\
#!define WITH_ACCDB\
#!define DBURL "postgres://kamailio:PASSWORD@127.0.0.1/sr"\
loadmodule "db_postgres.so"
/^modparam("usrloc", "db_mode"/s/, 2)/, 1)/
/^modparam("auth_db", "calculate_ha1"/s/, yes)/, 0)/
/^modparam("auth_db", "password_column"/s/"password")/"ha1")/
/^loadmodule "usrloc.so"/i\
loadmodule "group.so"
/^modparam("usrloc", "timer_interval"/i\
modparam("group", "db_url", DBURL)
