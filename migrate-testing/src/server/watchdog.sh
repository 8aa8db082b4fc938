# Ends a server when its last user is gone. Run as: sh -c THIS migrate-pg-watchdog DIR GRACE
#
# Every user of the server, a process, holds the writing end of the FIFO `users` open for as long
# as it lives; that the kernel closes it is the one thing even kill -9 cannot prevent. We hold the
# reading end: we sleep in `read` while there are users and get the end of the file when there are
# none. A newcomer writes a line, his name, and is in when we have created `admitted-NAME`. As we
# alone decide both who gets in and when to close, nobody gets in while the server is ending.

dir=$1
grace=$2
pidfile=$dir/data/postmaster.pid

[ -p "$dir/users" ] || exit 1
exec 9<>"$dir/users" 3<"$dir/users" 9>&- # 9 keeps the opening of 3 from waiting for a user

wait_for_the_last_user() {
    graced=no
    while :; do
        while read -r name <&3; do
            true >"$dir/admitted-$name" # not `:`, which would end us if the disk is full
            graced=no
        done
        if [ "$graced" = yes ] || [ "$grace" -eq 0 ] || ! [ -p "$dir/users" ]; then
            return
        fi
        graced=yes
        exec 4>"$dir/users"
        sleep "$grace" 3<&- & # a user like any other, if a drowsy one
        exec 4>&-
    done
}

# Whether a process is this directory's postmaster: the file may be stale and its number reused.
is_ours() {
    { tr '\0' ' ' <"/proc/$1/cmdline" || ps -o args= -p "$1"; } 2>/dev/null | grep -qF "$dir/data"
}

stop() {
    pid=$(head -n 1 "$pidfile" 2>/dev/null)
    [ -n "$pid" ] && is_ours "$pid" || return
    kill -QUIT "$pid"
    kill -CONT "$pid" # it may have been frozen
    tries=0
    while [ -e "$pidfile" ] && is_ours "$pid"; do
        tries=$((tries + 1))
        [ "$tries" -eq 1000 ] && kill -KILL "$pid"
        sleep 0.01
    done
}

# What a killed postmaster could not give back: the segment named in the 7th line of its file.
free_shared_memory() {
    segment=$(sed -n '7s/^ *[0-9]* *//p' "$pidfile" 2>/dev/null)
    [ -n "$segment" ] && ipcrm -m "$segment"
}

remove() {
    tries=0
    until rm -rf "$dir" || [ "$tries" -eq 100 ]; do
        tries=$((tries + 1))
        sleep 0.1 # something still writes there
    done
}

{
    trap '' HUP
    wait_for_the_last_user
    rm -f "$dir/users" # closed: whoever comes now starts a server of his own
    exec 3<&-
    stop
    free_shared_memory
    remove
} </dev/null >/dev/null 2>&1 &
