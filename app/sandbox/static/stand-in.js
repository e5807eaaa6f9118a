/* Mounts the sandbox's payment page of a session into an element of this page:

     <script src="http://127.0.0.1:8001/components/stand-in.js"></script>
     <div data-client-access-token="eyJ..."></div>          by itself, or
     MollieStandIn.mount(element, clientAccessToken)        by hand

   Stands where Mollie's own component would. Keeps nothing and asks nobody. */
(function () {
  "use strict";
  var origin = new URL(document.currentScript.src).origin;

  function mount(target, clientAccessToken) {
    var element = typeof target === "string" ? document.querySelector(target) : target;
    if (!element) throw new Error("MollieStandIn: there is no such element to mount into");
    var token = clientAccessToken.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    var frame = document.createElement("iframe");
    frame.src = origin + "/components/" + token;
    frame.title = "Payment";
    frame.allow = "payment";
    frame.style.cssText = "display:block;width:100%;height:56rem;border:0;border-radius:12px";
    element.replaceChildren(frame);
    return frame;
  }

  function mountMarked() {
    document.querySelectorAll("[data-client-access-token]").forEach(function (element) {
      mount(element, element.getAttribute("data-client-access-token"));
    });
  }

  window.MollieStandIn = { mount: mount };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", mountMarked);
  } else {
    mountMarked();
  }
})();
