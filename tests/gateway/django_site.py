"""A Django site that was there before Solent: log-in, a page, and a view that pushes to a user.

DJANGO_DATABASE, DJANGO_KEY and DJANGO_REDIS say where. `python django_site.py` prepares the database; gunicorn serves
`django_site:application`.
"""

import os
import sys

import django
from asgiref.sync import async_to_sync
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ["DJANGO_KEY"],
    ALLOWED_HOSTS=["site.example"],
    ROOT_URLCONF="django_site",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DJANGO_DATABASE"]}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"registration/login.html": "<form method=post>{% csrf_token %}{{ form }}<button>Log in</button></form>"},
                    )
                ]
            },
        }
    ],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    USE_X_FORWARDED_HOST=False,
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["DJANGO_REDIS"]]},
        }
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

from channels.layers import get_channel_layer  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.views import LoginView, LogoutView  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path, re_path  # noqa: E402


def front(request):
    return HttpResponse(f"hello {request.user.username or 'nobody'} csrf={get_token(request)}")


@login_required
def notify(request):
    event = {"type": "order.shipped", "order": 7, "text": "Grüße 🌊"}
    async_to_sync(get_channel_layer().group_send)(f"user_{request.user.pk}", event)
    return HttpResponse("sent")


def told(request, rest):
    return JsonResponse(
        {
            "rest": rest,
            "raw": request.META["RAW_URI"],
            "host": request.get_host(),
            "for": request.META.get("HTTP_X_FORWARDED_FOR"),
            "secure": request.is_secure(),
            "body": len(request.body),
            "query": request.GET.dict(),
        }
    )


urlpatterns = [
    path("", front),
    path("accounts/login/", LoginView.as_view()),
    path("accounts/logout/", LogoutView.as_view()),
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("notify/", notify),
    re_path(r"^told/(?P<rest>.*)$", told),
]

application = get_wsgi_application()

if __name__ == "__main__":
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name in sys.argv[1:]:
        User.objects.create_user(name, password=f"{name}-secret-1")
