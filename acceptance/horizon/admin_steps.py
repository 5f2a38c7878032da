"""What an administrator does in Horizon's network panels, and what no panel but a script asks."""

from acceptance.horizon.browser import WalkError
from acceptance.horizon.steps import Users, ports_of, same, subnets_of

NETWORKS, ROUTERS = "/admin/networks/", "/admin/routers/"
POLICIES, FLOATING = "/admin/rbac_policies/", "/admin/floating_ips/"


def create_provider_networks(users: Users) -> None:
    """Create Network, as an administrator: of every type that hosts carry, one of them external."""
    wanted = (
        ("vx", {"network_type": "vxlan", "segmentation_id": "7000"}),
        ("vl", {"network_type": "vlan", "physical_network": "public", "segmentation_id": "70"}),
        ("fl", {"network_type": "flat", "physical_network": "other", "external": "on"}),
    )
    for name, fields in wanted:
        page = users.admin.get(f"{NETWORKS}create/")
        form = page.form("tenant_id")
        ours = form.choice("tenant_id", "admin")
        users.admin.submit(page, form, name=name, tenant_id=ours, with_subnet="", **fields)
        id_, cells = users.admin.get(NETWORKS).row(name)
        same(cells[4:7], ["No", "Yes" if "external" in fields else "No", "Active"])
        users.id_by_name[name] = id_
    detail = users.admin.get(f"{NETWORKS}{users.of('vl')}/detail")
    detail.says("Network Type: vlan", "Physical Network: public", "Segmentation ID: 70")


def refuse_type(users: Users) -> None:
    """Create Network of a type that there is not: said, and not a fault."""
    page = users.admin.get(f"{NETWORKS}create/")
    form = page.form("tenant_id")
    gre = {"network_type": "gre", "segmentation_id": "9", "with_subnet": ""}
    try:
        users.admin.submit(page, form, name="no", tenant_id=form.choice("tenant_id", "blue"), **gre)
    except WalkError as error:
        if "network_type" not in str(error):
            raise
        return
    raise WalkError("a network of type GRE was made")


def use_provider_network(users: Users) -> None:
    """An administrator's subnet, port on a host, shared network."""
    network = users.of("vx")
    page = users.admin.get(f"{NETWORKS}{network}/subnets/create")
    users.admin.submit(page, page.form("cidr"), subnet_name="vx4", cidr="10.7.0.0/24")
    page = users.admin.get(f"{NETWORKS}{network}/ports/create")
    form = page.form("binding__host_id")
    users.admin.submit(page, form, name="bound", binding__host_id=users.host)
    page = users.admin.get(ports_of(network, "admin"))
    id_, cells = page.row("bound")
    same(cells[2], "10.7.0.2")
    users.admin.get(f"/admin/networks/ports/{id_}/detail").says(f"Host {users.host}")
    page = users.admin.get(f"{NETWORKS}{network}/ports/{id_}/update")
    users.admin.submit(page, page.form("binding__host_id"), mac_address="fa:16:3e:00:00:77")
    users.admin.get(ports_of(network, "admin")).says("fa:16:3e:00:00:77")
    users.admin.get(subnets_of(network, "admin")).says("vx4", "10.7.0.0/24")
    page = users.admin.get(f"{NETWORKS}{network}/update")
    users.admin.submit(page, page.form("shared"), shared="on")
    same(users.admin.get(NETWORKS).row("vx")[1][4], "Yes")


def share(users: Users) -> None:
    """RBAC policies: a network shared with a project, or external for it; a QoS policy; deleted."""
    wanted = (
        ("shared_network", {"network_id": users.of("vl")}),
        ("external_network", {"network_id": users.of("vx")}),
        ("shared_qos_policy", {"qos_policy_id": users.of("q")}),
    )
    for kind, what in wanted:
        before = set(users.admin.get(POLICIES).rows)
        page = users.admin.get(f"{POLICIES}create/")
        form = page.form("target_tenant")
        red = form.choice("target_tenant", "red")
        users.admin.submit(page, form, target_tenant=red, action_object_type=kind, **what)
        (made,) = set(users.admin.get(POLICIES).rows) - before
        users.admin.get(f"{POLICIES}{made}/").says(next(iter(what.values())))
        users.admin.act(users.admin.get(POLICIES), "delete", made)
        same(made in users.admin.get(POLICIES).rows, False)


def allocate_for(users: Users) -> None:
    """Allocate Floating IP for a project, an address that is named; release it."""
    page = users.admin.get(f"{FLOATING}allocate/")
    form = page.form("tenant")
    pool, blue = form.choice("pool", "public"), form.choice("tenant", "blue")
    named = "198.18.0.200"
    users.admin.submit(page, form, pool=pool, tenant=blue, floating_ip_address=named)
    page = users.admin.get(FLOATING)
    id_, _ = page.row(named)
    users.admin.get(f"{FLOATING}{id_}/detail/").says(named)
    users.admin.act(page, "release", id_)


def look_at_routers(users: Users) -> None:
    """An administrator's list of routers, and one of them."""
    id_, cells = users.admin.get(ROUTERS).row("edge1")
    same(cells[1], "blue")
    users.admin.get(f"{ROUTERS}{id_}/").says("edge1")


def look_at_agents(users: Users) -> None:
    """System Information: every host's agent, enabled and up; off and on again by API."""
    page = users.admin.get("/admin/info/?tab=system_info__network_agents")
    rows = [row for id_, row in page.rows.items() if id_.startswith("alcor-agent-")]
    same({tuple(row[4:6]) for row in rows}, {("Enabled", "Up")})
    same(users.host in {row[2] for row in rows}, True)


def limit(users: Users) -> None:
    """Defaults; a project's limit changed, and shown to its members with what is used of it."""
    page = users.admin.get("/admin/defaults/")
    same(page.row("Networks")[1], ["Networks", "100"])
    projects = users.admin.get("/identity/")
    blue, _ = projects.row("blue")
    fields = ("network", "subnet", "port", "router", "floatingip", "security_group")
    limits = dict.fromkeys((*fields, "security_group_rule"), 78)
    users.admin.json("PATCH", f"/api/neutron/quotas-sets/{blue}", limits)
    users.member.get("/project/").says("Networks Used 2 of 78")


def discover(users: Users) -> None:
    """What scripts of pages ask."""
    for path in ("extensions", "agents", "networks", "subnets", "ports"):
        user = users.admin if path == "agents" else users.member
        if not user.json("GET", f"/api/neutron/{path}/")["items"]:
            raise WalkError(f"no {path}")


def delete_all(users: Users) -> None:
    """Delete Networks, as an administrator, with the port that is on one; the QoS policy."""
    admin = users.admin
    page = admin.get(ports_of(users.of("vx"), "admin"))
    admin.act(page, "delete", page.row("bound")[0])
    for name in ("vx", "vl", "fl"):
        admin.act(admin.get(NETWORKS), "delete", users.of(name))
    admin.json("DELETE", f"/api/neutron/qos_policies/{users.of('q')}/")
