/* Draws the API's schema with Swagger UI, from this server's own files. */

const place = document.getElementById("api-docs");

function csrfToken() {
  const headers = document.body.getAttribute("hx-headers");
  return headers ? JSON.parse(headers)["X-CSRFToken"] : "";
}

function signed(request) {
  if (!["GET", "HEAD"].includes(request.method || "GET")) {
    request.headers["X-CSRFToken"] = csrfToken();
  }
  return request;
}

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  syntaxHighlight: { activated: false },
  validatorUrl: null,
  requestInterceptor: signed,
});
