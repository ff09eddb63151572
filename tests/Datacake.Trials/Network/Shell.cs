using System.Diagnostics;

namespace Datacake.Trials.Network;

/// <summary>A runner of operating system tools.</summary>
static class Shell
{
    /// <summary>Runs a tool and returns its output.</summary>
    /// <exception cref="InvalidOperationException">The tool is missing or failed.</exception>
    public static async Task<string> RunAsync(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"The tool '{tool}' cannot be run. Install it (Debian: apt-get install iproute2 nftables).", e);
        }
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            string errors = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"The command '{tool} {string.Join(' ', arguments)}' failed with code {process.ExitCode}: {errors.Trim()}");
            return await output;
        }
    }
}
