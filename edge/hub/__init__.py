"""The hub process: what vision saw becomes sessions in the store and pages in the browser. It opens no camera."""
