namespace Datacake.Tool.Terminal;

/// <summary>An error that ends a command. The message is for the user: what happened, to which thing, and what to do.</summary>
sealed class ToolException(ExitCode exitCode, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public ExitCode ExitCode { get; } = exitCode;
}
