import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  base: "./", // works below a path prefix, too (a reverse proxy)
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // data: URLs would need a weaker Content-Security-Policy
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` against a box: KINEBOX_URL=http://192.0.2.7:8080 npm run dev
    proxy: {
      "/api": {
        target: loadEnv(mode, ".", "KINEBOX_")["KINEBOX_URL"] ?? "http://127.0.0.1:8080",
        ws: true,
        changeOrigin: false,
      },
    },
  },
}));
