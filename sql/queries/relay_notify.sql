select pg_notify('fairlead_relay', '')
