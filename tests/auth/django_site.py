"""A real Django over the database that Solent shares, told by JSON lines what to do.

python django_site.py URL SECRET_KEY [USER_MODEL [SESSION_ENGINE REDIS_URL]]; then one request per line on standard input, one answer per line on
standard output.
"""

import json
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings


def database(url):
    if url.startswith("sqlite:"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:")}
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


user_model = sys.argv[3] if len(sys.argv) > 3 else "auth.User"
session_engine, redis_url = sys.argv[4:6] if len(sys.argv) > 5 else ("db", "")

settings.configure(
    SESSION_ENGINE=f"django.contrib.sessions.backends.{session_engine}",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}},
    AUTH_USER_MODEL=user_model,
    SECRET_KEY=sys.argv[2],
    DATABASES={"default": database(sys.argv[1])},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        *(["django_members"] if user_model != "auth.User" else []),
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
    ],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

from django.contrib import auth  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

User = auth.get_user_model()


def whoami(request):
    return HttpResponse(request.user.get_username() or "nobody")


def log_in(request):
    user = auth.authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("wrong", status=403)
    auth.login(request, user)
    request.session["cart"] = {"of": "django", "n": [1, 2.5, None]}
    return HttpResponse("in")


def log_out(request):
    auth.logout(request)
    return HttpResponse("out")


def cart(request):
    return HttpResponse(json.dumps(request.session.get("cart")))


urlpatterns = [path("whoami/", whoami), path("login/", log_in), path("logout/", log_out), path("cart/", cart)]


def client(cookie=None):
    client = Client()
    if cookie:
        client.cookies["sessionid"] = cookie
    return client


def migrate():
    call_command("migrate", verbosity=0, interactive=False)
    # An app without migrations refers to the tables of those that have some.
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)


def take_over():
    call_command("migrate", verbosity=0, interactive=False, fake_initial=True)


def create_user(username, password, hasher="default"):
    user = User(username=username, password=make_password(password, hasher=hasher))
    user.save()
    return str(user.pk)


def login(username, password):
    visitor = client()
    answer = visitor.post("/login/", {"username": username, "password": password})
    cookie = visitor.cookies.get("sessionid")
    return {"status": answer.status_code, "cookie": cookie.value if cookie else None}


def get(path, cookie=None):
    return client(cookie).get(path).content.decode()


def post(path, cookie=None):
    return client(cookie).post(path).content.decode()


def set_password(username, password):
    user = User.objects.get(username=username)
    user.set_password(password)
    user.save()


def check_password(username, password):
    return User.objects.get(username=username).check_password(password)


def deactivate(username):
    User.objects.filter(username=username).update(is_active=False)


def clear_sessions():
    call_command("clearsessions")


COMMANDS = [migrate, take_over, create_user, login, get, post, set_password, check_password, deactivate, clear_sessions]

for line in sys.stdin:
    name, arguments = json.loads(line)
    command = {command.__name__: command for command in COMMANDS}[name]
    print(json.dumps(command(*arguments)), flush=True)
