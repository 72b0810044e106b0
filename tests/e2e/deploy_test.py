"""deploy/: nginx in front of a real server, the unit checked by systemd, and every flag and address that is named exists.

What is not installed (nginx, openssl, systemd-analyze, PyYAML) skips its test, saying so.
"""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import binary
from serve_log_test import eventually
from serve_test import Server
from workshop import Workshop

DEPLOY = binary.ROOT / "deploy"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Nginx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("nginx", "openssl"):
            if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
                raise unittest.SkipTest(f"{program} is not installed")
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = Path(scratch.name)
        folder.chmod(0o755)  # nginx's workers are another user's where this runs as root
        cls.server = Server("--base", Workshop(folder).base)
        cls.addClassCleanup(lambda: cls.server.stop())
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=onggi.example",
             "-addext", "subjectAltName=DNS:onggi.example", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        cls.certificate = folder / "cert.pem"
        cls.port = free_port()
        text = (DEPLOY / "nginx" / "onggi.conf").read_text()
        for old, new in (
            ("listen 443", f"listen 127.0.0.1:{cls.port}"),
            ("127.0.0.1:8080", f"127.0.0.1:{cls.server.port}"),
            ("/etc/ssl/certs/onggi.pem", str(cls.certificate)),
            ("/etc/ssl/private/onggi.key", str(folder / "key.pem")),
        ):
            assert text.count(old) == 1, (old, text.count(old))
            text = text.replace(old, new)
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{text}}}\n"
        )
        cls.nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
        cls.addClassCleanup(cls.stop)
        if not eventually(cls.is_there, 10):
            raise AssertionError(f"nginx does not listen: {cls.nginx.poll()}")

    @classmethod
    def is_there(cls):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", cls.port)) == 0

    @classmethod
    def stop(cls):
        cls.nginx.terminate()
        cls.nginx.communicate(timeout=30)

    def connect(self):
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        plain = socket.create_connection(("127.0.0.1", self.port), 60)
        connection.sock = context.wrap_socket(plain, server_hostname="onggi.example")
        self.addCleanup(connection.close)
        return connection

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        connection.request(method, path, body, {"content-type": "application/json"} | (headers or {}))
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode()

    def test_answers_come_through_with_the_request_id(self):
        status, headers, text = self.request("POST", "/v1/completions", json.dumps({"prompt": "the", "max_tokens": 3}), {"x-request-id": "mine"})
        self.assertEqual((status, headers["x-request-id"]), (200, "mine"), text)
        self.assertRegex(self.request("GET", "/health")[1]["x-request-id"], "^[0-9a-f]{32}$")  # nginx's
        self.assertEqual(self.request("GET", "/metrics")[0], 404)

    def test_tokens_come_as_they_are_made_and_a_client_that_leaves_is_gone(self):
        body = {"prompt": "the", "max_tokens": 900, "n": 50, "temperature": 1, "seed": 3, "stream": True, "guided_regex": "[a-z]{900,4000}"}
        connection = self.connect()
        connection.request("POST", "/v1/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        self.assertEqual((response.status, response.getheader("content-type")), (200, "text/event-stream"))
        self.assertTrue(response.read(6).startswith(b"data: "))
        running = lambda: float(re.search(r"num_requests_running\{.*\} (\S+)", self.server.request("GET", "/metrics")[2])[1])  # noqa: E731
        self.assertGreater(running(), 0)  # far from its end
        response.close()
        connection.sock.close()
        self.assertTrue(eventually(lambda: running() == 0))

    def test_a_body_too_large_is_refused_in_the_servers_words(self):
        status, _, text = self.request("POST", "/v1/completions", b"x" * ((8 << 20) + 1000))
        self.assertEqual(status, 413)
        self.assertIn("error", json.loads(text))


class Systemd(unittest.TestCase):
    UNIT = DEPLOY / "systemd" / "onggi.service"

    def test_the_unit_is_one_and_is_shut(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with tempfile.TemporaryDirectory() as folder:
            # The program that it names is not installed here.
            text = self.UNIT.read_text().replace("/usr/local/bin/onggi", "/bin/true").replace("Documentation=", "#")
            unit = Path(folder) / "onggi.service"
            unit.write_text(text)
            found = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
            ours = [line for line in found.stderr.splitlines() if "onggi.service" in line]
            self.assertEqual(ours, [], found.stderr)
            found = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True)
            self.assertEqual(found.returncode, 0, found.stdout[-600:] + found.stderr)


class Named(unittest.TestCase):
    """Flags, options, addresses and metrics in deploy/ are there."""

    @classmethod
    def setUpClass(cls):
        result = binary.run("serve", "--help")
        cls.flags = set(re.findall(r"--(?:\[no-\])?([a-z][a-z-]+)", result.stdout))

    def load(self, name):
        try:
            import yaml
        except ImportError:
            self.skipTest("PyYAML is not installed")
        return list(yaml.safe_load_all((DEPLOY / name).read_text()))

    def check_config(self, options):
        self.assertEqual({name for name in options if name.replace("_", "-") not in self.flags} - {"adapters"}, set())

    def check_arguments(self, arguments):
        self.assertEqual(arguments[0], "serve")
        self.assertEqual({a for a in arguments if a.startswith("--") and a[2:] not in self.flags}, set())

    def test_configurations_have_options_that_exist(self):
        self.check_config(self.load("serve.yaml")[0])
        (config_map,) = self.load("kubernetes/configmap.yaml")
        import yaml

        self.check_config(yaml.safe_load(config_map["data"]["serve.yaml"]))

    def test_the_pods_ask_for_what_is_there(self):
        deployment, service, budget = self.load("kubernetes/deployment.yaml")
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        self.check_arguments(container["args"])
        arguments = container["args"]
        drain = int(arguments[arguments.index("--drain-seconds") + 1])
        self.assertGreater(pod["terminationGracePeriodSeconds"], drain + 5)
        source = "".join(path.read_text() for path in (binary.ROOT / "onggi" / "server").rglob("*.cpp"))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertIn(f'"{container[probe]["httpGet"]["path"]}"', source)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        for selector in (deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"], budget["spec"]["selector"]["matchLabels"]):
            self.assertEqual(selector, labels)
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        self.assertEqual(mounts, {volume["name"] for volume in pod["volumes"]})

    def test_keda_scales_on_a_metric_that_is_there(self):
        (scaled,) = self.load("kubernetes/keda.yaml")
        deployment = self.load("kubernetes/deployment.yaml")[0]
        self.assertEqual(scaled["spec"]["scaleTargetRef"]["name"], deployment["metadata"]["name"])
        (trigger,) = scaled["spec"]["triggers"]
        self.assertIn("vllm:num_requests_waiting", trigger["metadata"]["query"])
        source = (binary.ROOT / "onggi" / "server" / "backend.cpp").read_text()
        self.assertIn('"vllm:num_requests_waiting"', source)

    def test_the_image_builds_what_onggi_up_builds(self):
        text = (DEPLOY / "Dockerfile").read_text()
        command = json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1])
        self.check_arguments(command)
        packages = re.search(r"readonly packages=\((.*?)\)", (binary.ROOT / "onggi-up").read_text(), re.DOTALL)[1].split()
        needed = {name for name in packages if name.endswith("-dev")} - {"libgtest-dev"}
        self.assertEqual({name for name in needed if name not in text}, set())
        self.assertIn("USER 10001", text)


if __name__ == "__main__":
    unittest.main()
