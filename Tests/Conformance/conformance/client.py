"""The administrator's calls, with which the cloud is prepared."""
from skerrylab import client


class Client(client.Client):
    """`me` is what the administrator's token says."""

    def __init__(self, cloud):
        super().__init__(cloud.port, cloud.certificate)
        self.me = self.log_in("admin", cloud.password, "admin")
        self.catalog = {service["type"] for service in self.me["catalog"]}
