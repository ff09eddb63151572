namespace Datacake.Tool.Terminal;

/// <summary>The exit codes of the tool, which scripts rely on.</summary>
enum ExitCode
{
    /// <summary>Success.</summary>
    Good = 0,

    /// <summary>Success with findings: problems, differences, or a document that does not exist.</summary>
    Findings = 1,

    /// <summary>A command line or an argument that is not valid.</summary>
    Usage = 2,

    /// <summary>A node that cannot be reached, or that has no administration.</summary>
    CannotConnect = 3,

    /// <summary>A secret, certificate or confirmation that is missing or wrong.</summary>
    Refused = 4,

    /// <summary>A failure of the node, of a file or of the tool.</summary>
    Failed = 5,

    /// <summary>A cancellation by the user.</summary>
    Canceled = 130,
}
