using System.CommandLine;
using Datacake.Administration;
using Datacake.Rpc;
using Datacake.Tool.Connections;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Commands;

/// <summary>Creates commands that call a node.</summary>
static class NodeCommand
{
    public static ToolCommand Create(
        string name, string description, string example, IEnumerable<Symbol> symbols, Func<ParseResult, AdministrationClient, Output, CancellationToken, Task<ExitCode>> run) =>
        new ToolCommand(name, description, example, [.. symbols, NodeOptions.Store, .. NodeOptions.All]).Runs(async (parsed, output, token) =>
        {
            var node = NodeOptions.Open(parsed);
            await using var disposal = node.ConfigureAwait(false);
            try
            {
                return await run(parsed, node.Client, output, token).ConfigureAwait(false);
            }
            catch (AdministrationException e)
                when (e.InnerException is RpcException { Status: RpcStatus.Unauthenticated } && e.Message.Contains("cluster secret", StringComparison.Ordinal))
            {
                throw new ToolException(ExitCode.Refused, $"{e.Message} {NodeOptions.DescribeSecret(parsed)}", e);
            }
        });
}
