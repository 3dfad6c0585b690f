// The token of an invitation stands behind the # of its link, where no server sees it: fill it into the form, and
// take it from the address, so that it stays in no history.
const token = document.getElementById("token");
if (location.hash.length > 1) {
  token.value = decodeURIComponent(location.hash.slice(1));
  token.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}
