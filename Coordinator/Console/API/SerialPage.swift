/// The page of the serial console: a plain terminal that shows text and knows the few controls that log-ins and shells
/// need. It takes the address that the compute API gave, from the fragment or from a field, so that no token is sent to a
/// server as part of a page's address.
enum SerialPage {
    static let html = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>Serial console</title>
        <style>
        body { margin: 0; background: #111; color: #ddd; font: 14px monospace; }
        #bar { padding: 6px; background: #333; }
        #bar input { width: 60%; }
        #screen { white-space: pre-wrap; word-break: break-all; padding: 6px; min-height: 90vh; outline: none; }
        </style>
        </head>
        <body>
        <form id="bar"><label>Address <input id="address" autocomplete="off"></label> <button>Connect</button>
        <span id="state">not connected</span></form>
        <div id="screen" tabindex="0"></div>
        <script>
        "use strict";
        const mostLines = 2000;
        const screen = document.getElementById("screen"), state = document.getElementById("state");
        const decoder = new TextDecoder(), encoder = new TextEncoder();
        let socket = null, lines = [""], column = 0, escape = "";
        function put(character) {
            const last = lines.length - 1;
            if (escape) {
                escape += character;
                if (escape.length > 64) { escape = ""; return; }
                if (escape.length === 2 && character !== "[" && character !== "]") { escape = ""; return; }
                if (escape[1] === "]") { if (character === "\\u0007") escape = ""; return; }
                if (escape.length > 2 && character >= "@" && character <= "~") {
                    if (character === "K") lines[last] = lines[last].slice(0, column);
                    if (character === "J") { lines = [""]; column = 0; }
                    if (character === "C") column += parseInt(escape.slice(2), 10) || 1;
                    if (character === "D") column = Math.max(0, column - (parseInt(escape.slice(2), 10) || 1));
                    escape = "";
                }
                return;
            }
            switch (character) {
            case "\\u001b": escape = character; break;
            case "\\r": column = 0; break;
            case "\\n": lines.push(""); column = 0; if (lines.length > mostLines) lines.shift(); break;
            case "\\b": column = Math.max(0, column - 1); break;
            case "\\u0007": case "\\u0000": break;
            default: {
                const line = lines[last].padEnd(column);
                lines[last] = line.slice(0, column) + character + line.slice(column + 1);
                column += 1;
            }
            }
        }
        function show(bytes) {
            for (const character of decoder.decode(bytes, { stream: true })) put(character);
            screen.textContent = lines.join("\\n") + "\\u2588";
            window.scrollTo(0, document.body.scrollHeight);
        }
        function send(text) {
            if (socket && socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(text));
        }
        function connect(address) {
            if (socket) socket.close();
            lines = [""]; column = 0; escape = "";
            socket = new WebSocket(address, "binary");
            socket.binaryType = "arraybuffer";
            socket.onopen = () => { state.textContent = "connected"; screen.focus(); };
            socket.onmessage = event => show(event.data);
            socket.onclose = event => { state.textContent = "closed " + (event.reason || event.code); };
        }
        const keys = { Enter: "\\r", Backspace: "\\u007f", Tab: "\\t", Escape: "\\u001b", ArrowUp: "\\u001b[A",
            ArrowDown: "\\u001b[B", ArrowRight: "\\u001b[C", ArrowLeft: "\\u001b[D", Home: "\\u001b[H",
            End: "\\u001b[F", Delete: "\\u001b[3~" };
        screen.addEventListener("keydown", event => {
            let text = keys[event.key];
            if (!text && event.ctrlKey && /^[a-z]$/i.test(event.key) && !event.shiftKey) {
                text = String.fromCharCode(event.key.toLowerCase().charCodeAt(0) - 96);
            } else if (!text && event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
                text = event.key;
            }
            if (text) { event.preventDefault(); send(text); }
        });
        screen.addEventListener("paste", event => {
            event.preventDefault();
            send(event.clipboardData.getData("text").replace(/\\r?\\n/g, "\\r"));
        });
        document.getElementById("bar").addEventListener("submit", event => {
            event.preventDefault();
            connect(document.getElementById("address").value.trim());
        });
        if (location.hash.length > 1) {
            const token = location.hash.slice(1);
            history.replaceState(null, "", location.pathname);
            connect((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/?token=" + token);
        }
        </script>
        </body>
        </html>

        """
}
