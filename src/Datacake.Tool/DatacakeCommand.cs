using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Datacake.Tool.Commands;
using Datacake.Tool.Terminal;

namespace Datacake.Tool;

/// <summary>The tool: its commands and their help.</summary>
static class DatacakeCommand
{
    /// <summary>Runs the tool, and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var parsed = Create().Parse(arguments);
        int code = await parsed.InvokeAsync().ConfigureAwait(false);
        return parsed.Errors.Count > 0 ? (int)ExitCode.Usage : code;
    }

    /// <summary>Creates the commands.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand("Looks into Datacake nodes and their store files, and changes what operators may change.");
        foreach (var command in (IEnumerable<Command>)[.. StatusCommands.All, .. DocumentCommands.All, .. VerifyCommand.All, .. OperatorCommands.All, .. TransferCommands.All, .. DoctorCommand.All, .. StoreCommands.All])
            root.Subcommands.Add(command);
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new HelpWithExample((HelpAction)help.Action!);
        return root;
    }

    /// <summary>The help of a command, with an example at its end.</summary>
    sealed class HelpWithExample(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is ToolCommand command)
                parseResult.InvocationConfiguration.Output.WriteLine($"Example:\n  datacake {command.Example}");
            return code;
        }
    }
}
