using System.CommandLine;

namespace Datacake.Tool.Commands;

/// <summary>Arguments and options that several commands have.</summary>
static class CommonArguments
{
    public static Argument<string> Keyspace { get; } = new("KEYSPACE") { Description = "The name of a keyspace." };

    public static Argument<string> Key { get; } = new("KEY")
    {
        Description = "A key: 7, madeira, a GUID, or JSON, such as '[\"eu\", 7]' for a composite key.",
    };

    public static Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do not ask for confirmation." };

    public static Option<bool> Exact { get; } = new("--exact")
    {
        Description = "Show exact types, as in an export, such as {\"$decimal\": \"12.50\"}.",
    };
}
