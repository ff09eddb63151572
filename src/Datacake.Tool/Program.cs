using Datacake.Tool;

return await DatacakeCommand.RunAsync(args).ConfigureAwait(false);
