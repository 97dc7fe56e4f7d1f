#!/bin/sh
# root.sh RELEASE DIR: what a machine with that Debian boots from: DIR/root.img (its root, ext4), DIR/vmlinuz (its stock kernel), DIR/initrd
# (ours: it loads what the root needs, no more). Nothing of it is installed on the host.
set -eu
cd "$(dirname "$0")/../.."
release=$1 dir=$2
new=$dir.new
rm -rf "$new"
mkdir -p "$new"
root=$new/root

sh test/support/debian/bare.sh "$release" "$root" bash,busybox-static,cpio,kmod,xz-utils,ca-certificates,libstdc++6
mkdir "$root/setup"
cp scripts/debian-packages.sh "$root/setup/"
# $IMAGE is the package that linux-image-amd64 stands for. Its scripts would make an initrd of Debian's.
chroot "$root" sh -eu <<'X'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
cd /setup
apt-get update -qq
sh debian-packages.sh kernel
image=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
apt-get download -qq "$image"
dpkg-deb -x "$image"_*.deb kernel
for lib in kernel/lib kernel/usr/lib; do
  [ ! -d $lib/modules ] || cp -a $lib/modules /usr/lib/
done
version=$(ls /usr/lib/modules)
# Decompressed once, here.
find "/usr/lib/modules/$version" -name '*.ko.xz' -exec xz -d {} +
depmod "$version"

mkdir -p initrd/bin initrd/modules initrd/root initrd/disk initrd/written initrd/proc initrd/dev
cp /bin/busybox initrd/bin/
number=100
for module in virtio_pci virtio_blk ext4 overlay; do
  for file in $(modprobe --set-version "$version" --show-depends $module | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
    name=$(basename "$file")
    [ -e "initrd/loaded-$name" ] || cp "$file" "initrd/modules/$number-$name"
    : >"initrd/loaded-$name"
    number=$((number + 1))
  done
done
rm -f initrd/loaded-*
X
cp test/machine/initrd.sh "$root/setup/initrd/init"
chmod 755 "$root/setup/initrd/init"
chroot "$root" sh -c 'cd /setup/initrd && find . | cpio --quiet -o -H newc' >"$new/initrd"
cp "$root"/setup/kernel/boot/vmlinuz-* "$new/vmlinuz"
rm -rf "$root/setup" "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
mkdir "$root/srv/tree"

truncate -s 4G "$new/root.img"
mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$new/root.img"
rm -rf "$root" "$dir"
mv "$new" "$dir"
