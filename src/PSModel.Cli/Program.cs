using PSModel.Cli;

return args switch
{
    [] or ["-h" or "--help" or "help" or "-?"] => Usage.Print(),
    ["demo"] => await Demo.RunAsync(),
    ["registry", .. string[] rest] => await RegistryCommand.RunAsync(rest),
    _ => Session.RunOnce(CommandLine.ToScript(args)),
};
