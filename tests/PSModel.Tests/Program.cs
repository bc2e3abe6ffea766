return PSModel.TestParts.TestProgram.Run(args);
