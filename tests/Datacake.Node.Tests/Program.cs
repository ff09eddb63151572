using Datacake.Node.Tests;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await NodeProcess.TryRunAsync(args))
    return 0;
// What xunit's own entry point does.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
