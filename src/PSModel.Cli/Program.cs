using PSModel.Cli;

return args switch
{
    [] or ["-h" or "--help" or "help" or "-?"] => Usage.Print(Console.Out, exitCode: 0),
    ["demo"] => await Demo.RunAsync(),
    ["registry", .. string[] rest] when RegistryCommand.TryRead(rest, out long size, out int port) => await RegistryCommand.RunAsync(size, port),
    _ => Usage.Print(Console.Error, exitCode: 2),
};
