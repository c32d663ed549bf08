#!/usr/bin/env bash
# A real S3 server on loopback: Ceph's RGW over one monitor and one OSD that keeps objects in memory. Runs until its
# standard input ends, which it does when whoever started it is gone; nothing is left then. Prints "ready" when it
# answers. Needs radosgw, ceph-mon, ceph-osd and ceph-common.
# usage: run-ceph.sh FOLDER MONITOR_PORT S3_PORT ACCESS_KEY SECRET_KEY    FOLDER: an empty one, removed at the end
set -euo pipefail
folder=$1 monitor_port=$2 port=$3 access_key=$4 secret_key=$5
mkdir "$folder"/{mon,osd,rgw,run}
PATH+=:/usr/sbin

fsid=$(</proc/sys/kernel/random/uuid)
keyring=$folder/keyring
monitor="v2:127.0.0.1:$monitor_port/0"
export CEPH_CONF=$folder/ceph.conf
cat >"$CEPH_CONF" <<CONF
[global]
fsid=$fsid
mon_initial_members=a
mon_host=[$monitor]
public_addr=127.0.0.1
auth_cluster_required=cephx
auth_service_required=cephx
auth_client_required=cephx
auth_allow_insecure_global_id_reclaim=false
keyring=$keyring
run_dir=$folder/run
log_file=$folder/\$name.log
admin_socket=$folder/run/\$name.asok
mon_data=$folder/mon
osd_data=$folder/osd
osd_objectstore=memstore
memstore_device_bytes=6442450944
osd_max_object_name_len=256
osd_pool_default_size=1
osd_pool_default_min_size=1
osd_pool_default_pg_num=1
osd_crush_chooseleaf_type=0
mon_allow_pool_size_one=true
mon_max_pg_per_osd=1000
mon_warn_on_pool_no_redundancy=false
mon_data_avail_warn=1
mon_data_avail_crit=1
# With one monitor nobody else has to be waited for.
paxos_propose_interval=0.01
paxos_min_wait=0.01
setuser_match_path=
[client.rgw]
rgw_data=$folder/rgw
rgw_frontends=beast endpoint=127.0.0.1:$port
rgw_dns_name=localhost
rgw_thread_pool_size=32
rgw_enable_usage_log=false
CONF

daemons=()
finish() {
  # The shell's own words about killed jobs are nobody's business.
  { kill -9 "${daemons[@]}" && wait; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

# Ends with this shell, even when that is killed.
start() {
  setpriv --pdeathsig KILL "$@" -f 0</dev/null >>"$folder/output" 2>&1 &
  daemons+=($!)
}

quietly() { "$@" >>"$folder/output" 2>&1 || { cat "$folder/output" >&2; exit 1; }; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits until a port answers, or says why the program behind it ended.
await_port() {
  until listens "$1"; do
    kill -0 "${daemons[-1]}" 2>/dev/null || { tail -n 30 "$folder/output" "$folder"/*.log >&2; exit 1; }
    sleep 0.05
  done
}

quietly ceph-authtool --create-keyring "$keyring" --gen-key -n mon. --cap mon 'allow *'
for name in client.admin client.rgw osd.0; do
  quietly ceph-authtool "$keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
done
quietly monmaptool --create --fsid "$fsid" --addv a "[$monitor]" "$folder/monmap"
quietly ceph-mon -i a --mkfs --monmap "$folder/monmap" --keyring "$keyring"
start ceph-mon -i a
await_port "$monitor_port"
osd=$(</proc/sys/kernel/random/uuid)
quietly ceph osd new "$osd"
quietly ceph-osd -i 0 --mkfs --osd-uuid "$osd"
start ceph-osd -i 0
start radosgw -n client.rgw
await_port "$port"
quietly radosgw-admin -n client.rgw user create --uid=tests --display-name=tests \
  --access-key="$access_key" --secret-key="$secret_key"
echo ready
# Whoever started this never writes anything.
read -r || true
