using System.CommandLine;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Administration.Conditions;
using Datacake.Rpc;

namespace Datacake.Tool.Terminal;

/// <summary>A command of the tool: it has an example in its help, and reports errors as one message and an exit code.</summary>
sealed class ToolCommand : Command
{
    static readonly Option<bool> Json = new("--json") { Description = "Write JSON: one value, or JSON Lines for lists without a limit. Messages go to standard error." };

    /// <param name="name">The name.</param>
    /// <param name="description">What the command does, as a sentence.</param>
    /// <param name="example">An example, without the name of the tool.</param>
    /// <param name="symbols">The arguments and options.</param>
    public ToolCommand(string name, string description, string example, params IEnumerable<Symbol> symbols)
        : base(name, description)
    {
        Example = example;
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                Arguments.Add(argument);
            else
                Options.Add((Option)symbol);
        }
        Options.Add(Json);
    }

    /// <summary>Gets the example.</summary>
    public string Example { get; }

    /// <summary>Sets the work of the command.</summary>
    /// <returns>The same command.</returns>
    public ToolCommand Runs(Func<ParseResult, Output, CancellationToken, Task<ExitCode>> run)
    {
        SetAction(async (parsed, token) =>
        {
            var output = new Output(parsed.GetValue(Json), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                return (int)await run(parsed, output, token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return (int)ExitCode.Canceled;
            }
            catch (Exception) when (token.IsCancellationRequested)
            {
                return (int)ExitCode.Canceled;
            }
            catch (Exception e)
            {
                output.Message(Output.Clean(e is JsonException ? $"The JSON is not valid: {e.Message}" : e.Message));
                return (int)ExitCodeOf(e);
            }
        });
        return this;
    }

    static ExitCode ExitCodeOf(Exception exception) => exception switch
    {
        ToolException error => error.ExitCode,
        AdministrationException { InnerException: RpcException error } => error.Status switch
        {
            RpcStatus.Connection or RpcStatus.Timeout or RpcStatus.ShuttingDown or RpcStatus.UnknownService => ExitCode.CannotConnect,
            RpcStatus.Unauthenticated => ExitCode.Refused,
            _ => ExitCode.Failed,
        },
        JsonException or ConditionException => ExitCode.Usage,
        _ => ExitCode.Failed,
    };
}
