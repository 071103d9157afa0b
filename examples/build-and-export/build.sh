# Runs inside the container: one HTML page for each text file, and an index of them.
set -eu
mkdir -p site
echo "<h1>$TITLE</h1>" >site/index.html
for page in pages/*.txt; do
  name=$(basename "$page" .txt)
  {
    echo "<pre>"
    cat "$page"
    echo "</pre>"
  } >"site/$name.html"
  echo "<a href=\"$name.html\">$name</a>" >>site/index.html
done
