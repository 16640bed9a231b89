"""What the command line says about reports, plans, the emulator and help, which have modules of their own."""

from __future__ import annotations

from pinecone_admin.cli.registry import CommandSpec

REPORTS: tuple[CommandSpec, ...] = (
    CommandSpec(
        path=("access",),
        effect="reads",
        summary="Show who can do what in which project, and what a reviewer should check.",
        details="It shows what roles permit, not what was used, which the API does not say. Files are readable only by "
        "you. pinecone-admin help findings explains the findings, and pinecone-admin help waivers how to accept some.",
        example="pinecone-admin access --project search --level writes",
        module="pinecone_admin.cli.reports.access",
    ),
    CommandSpec(
        path=("inventory",),
        effect="reads",
        summary="Read everything in the organization, save it, or show what has changed since.",
        example="pinecone-admin inventory --output table",
        module="pinecone_admin.cli.reports.inventory",
    ),
    CommandSpec(
        path=("project", "stale"),
        effect="reads",
        summary="Find old projects that tests left behind, and save a plan to delete them later; delete nothing now.",
        details="With --save, it writes a plan: read it, remove what must stay, and delete the rest with project "
        "delete-stale FILE. Without --save, it only shows what the plan would be.\n\nTo see what a project contains, a "
        "temporary API key is made in it, and deleted again; so it asks. Nothing else changes.",
        example="pinecone-admin project stale --name 'ci-*' --older-than 7d --yes",
        methods=("projects.delete_stale",),
        makes_temporary_keys=True,
        module="pinecone_admin.cli.plans.project_stale",
    ),
    CommandSpec(
        path=("project", "delete-stale"),
        effect="deletes",
        summary="Delete the projects of a saved plan with everything in them, and no others.",
        details="A project stays if it has changed since the plan was made. To keep one, remove it from the file. Run "
        "the same plan again after an interruption.",
        example="pinecone-admin project delete-stale plan.json --dry-run",
        methods=("projects.delete_stale",),
        module="pinecone_admin.cli.plans.project_delete_stale",
        has_dry_run=True,
    ),
    CommandSpec(
        path=("user", "offboard"),
        effect="deletes",
        summary="Remove a person with all roles and invites, and show which secrets the person may know.",
        details="Keep the output, and rotate what it names: afterwards, nothing shows what the person could reach. "
        "For several people, --from makes a plan, which you read, and --plan carries it out. In both, addresses that "
        "nobody has, or that the account may not look up, come first, and the exit code is 4, or 9 beside others.",
        example="pinecone-admin user offboard ada@example.com --yes",
        methods=("users.offboard", "users.offboard_many"),
        module="pinecone_admin.cli.plans.user_offboard",
        has_dry_run=True,
    ),
    CommandSpec(
        path=("send",),
        effect="deletes",
        summary="Send a request that no other command covers.",
        details="It gets the same token, retries and errors as every command. A DELETE needs the last segment of the "
        "path as --confirm. A request that makes a secret needs --store or --reveal, as the command for it does.",
        example="pinecone-admin send GET '/admin/users?limit=5'",
        module="pinecone_admin.cli.calls.send",
        confirms=True,
        has_dry_run=True,
    ),
    CommandSpec(
        path=("emulator",),
        effect="reads",
        summary="Serve an organization on this machine, to try things without an account.",
        details="The example starts an emulator that ends with the shell; if it cannot start, the line fails. Without "
        "--background, the command serves until it is stopped, and says where it listens. It needs the extra "
        "emulator.\n\npinecone-admin send GET /_emulator lists what else it can do: "
        "add faults and users, accept invites, and put its clock forward.",
        example='eval "$(pinecone-admin emulator --format env --background)"',
        module="pinecone_admin.cli.emulator.emulator",
    ),
    CommandSpec(
        path=("explain",),
        effect="reads",
        summary="Say what a code of an error, an exit or a finding means, and what to do.",
        example="pinecone-admin explain PA205",
        module="pinecone_admin.cli.help.explain",
    ),
    CommandSpec(
        path=("help",),
        effect="reads",
        summary="Show a page about a topic, or the help of a command.",
        example="pinecone-admin help exit-codes",
        module="pinecone_admin.cli.help.help",
    ),
    CommandSpec(
        path=("completion",),
        effect="reads",
        summary="Print what makes a shell complete the commands.",
        details='In ~/.bashrc: eval "$(pinecone-admin completion bash)". In ~/.zshrc the same with zsh. '
        "Fish reads its file from ~/.config/fish/completions/pinecone-admin.fish.",
        example="pinecone-admin completion bash",
        module="pinecone_admin.cli.help.completion",
    ),
)
