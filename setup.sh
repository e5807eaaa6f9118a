#!/bin/sh
# Makes .venv: the locked packages, checked by hash, and the project itself. Needs Python 3.11+
# and a package index, nothing else. Run it as often as you like: with nothing to do it is done
# at once. Touches nothing outside of .venv.
set -eu
cd "$(dirname "$0")"

python=.venv/bin/python
done_mark=.venv/kontor-setup

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# What .venv was made from. The place too: its scripts name their interpreter by its full path.
ingredients() {
    cat requirements.lock pyproject.toml setup.sh | cksum
    pwd
    "$python" --version
}

find_python() {
    for name in python3.13 python3.12 python3.11 python3 python3.14 python3.15; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is missing: install it (apt install python3 python3-venv, brew install python)"
}

make_venv() {
    found=$1
    if ! "$found" -c 'import venv, ensurepip' 2>/dev/null; then
        version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$found cannot make a virtual environment: install the package python$version-venv"
    fi
    rm -rf .venv
    "$found" -m venv .venv
}

install_packages() {
    count=$(grep -c '^[A-Za-z0-9].*==' requirements.lock)
    # uv reads no pip configuration, so it may not find an index that pip finds.
    if uv --version >/dev/null 2>&1; then
        echo "Installing $count packages (a few seconds, once)"
        uv pip sync --quiet --python "$python" --require-hashes requirements.lock && return
        echo "uv could not do it; trying pip"
        "$python" -m ensurepip >/dev/null
    fi
    echo "Installing $count packages (about 30 s, once)"
    # The lock is the whole set. Resolving it again gains nothing, and older pips (23.2) miss the
    # hash of a package that another one asks for with an extra.
    "$python" -m pip install -qq --disable-pip-version-check --no-input --no-deps \
        --require-hashes --requirement requirements.lock
}

install_project() {
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install -qq --disable-pip-version-check --no-input \
            --no-deps --no-build-isolation --editable .
    else
        uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
    fi
}

if [ -f "$done_mark" ] && [ "$(cat "$done_mark")" = "$(ingredients 2>/dev/null)" ]; then
    exit 0
fi
# Without its mark .venv is half-made; with one it is only out of date. The interpreter may be
# gone, or the whole project may have moved: then nothing of it works.
if ! [ -f "$done_mark" ] || ! grep -qxF "$(pwd)" "$done_mark" || ! "$python" -c '' 2>/dev/null; then
    found=$(find_python)
    echo "Making .venv with $("$found" --version)"
    make_venv "$found"
fi
rm -f "$done_mark"
install_packages || fail "the packages could not be installed: see above; is a package index reachable?"
install_project || fail "the project could not be installed: see above"
ingredients > "$done_mark"
