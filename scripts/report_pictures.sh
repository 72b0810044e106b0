#!/usr/bin/env bash
# Pictures of a report and a page of cards, as a desktop and a phone show them, for docs/pictures:
# report_pictures.sh REPORT.html CARDS.html OUTPUT_FOLDER. Needs chromium (Debian package of this name).
set -euo pipefail
[[ $# -eq 3 ]] || { echo "usage: report_pictures.sh REPORT.html CARDS.html OUTPUT_FOLDER" >&2; exit 2; }
command -v chromium > /dev/null || { echo "report_pictures.sh: chromium is missing: apt-get install chromium" >&2; exit 1; }
mkdir -p "$3"

# shoot PAGE NAME WIDTH HEIGHT
shoot() {
  local sandbox=()
  [[ $EUID -ne 0 ]] || sandbox=(--no-sandbox)
  chromium --headless "${sandbox[@]}" --disable-gpu --hide-scrollbars --window-size="$3,$4" \
    --screenshot="$2" "file://$(readlink -f "$1")" > /dev/null 2>&1
  [[ -s $2 ]] || { echo "report_pictures.sh: chromium wrote no $2" >&2; exit 1; }
}

shoot "$1" "$3/report-desktop.png" 1280 1700
shoot "$1" "$3/report-phone.png" 390 1700
shoot "$2" "$3/cards-desktop.png" 1280 1100
shoot "$2" "$3/cards-phone.png" 390 1100
